/** The one message that a child sends over its channel. */
export type ChildMessage = { readonly report: unknown } | { readonly error: string };

/** The child's side: calls `work` with the request and reports its result or error. */
export async function reportTo(
  channel: NodeJS.Process,
  work: (request: unknown) => Promise<unknown>,
): Promise<void> {
  let done = false;
  // The parent is gone: there is no one to report to.
  channel.on("disconnect", () => {
    if (!done) channel.exit(1);
  });
  const message = await work(JSON.parse(channel.argv[2] ?? "null")).then(
    (report): ChildMessage => ({ report }),
    (error: unknown): ChildMessage => ({
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  if (!channel.send) throw new Error("this file measures for `regionlab bench`; it is not to be run by hand");
  channel.send(message, () => {
    done = true;
    channel.disconnect();
  });
}
