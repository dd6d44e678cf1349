/** What a child sends back over its channel, once. */
export type ChildMessage = { readonly report: unknown } | { readonly error: string };

/** The child's side: does what `work` does with the request and reports the outcome, whatever it is. */
export async function reportTo(
  channel: NodeJS.Process,
  work: (request: unknown) => Promise<unknown>,
): Promise<void> {
  let done = false;
  // The parent has gone: there is no one to report to.
  channel.on("disconnect", () => {
    if (!done) channel.exit(1);
  });
  const message = await work(JSON.parse(channel.argv[2] ?? "null")).then(
    (report): ChildMessage => ({ report }),
    (error: unknown): ChildMessage => ({
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  );
  if (!channel.send) throw new Error("this file measures for `regionlab bench`; it is not run by hand");
  channel.send(message, () => {
    done = true;
    channel.disconnect();
  });
}
