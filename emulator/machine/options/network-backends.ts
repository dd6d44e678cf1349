/** Kinds of `-netdev`. */
import {
  BackendOptionError,
  forwardToGuest,
  forwardToHost,
  parseUserNetwork,
  USER_NETWORK_PROPERTIES,
  UserNetwork,
} from "#backends";
import { CommandError } from "#host";
import type { BackendKind } from "./backend-kinds.ts";
import { asksForHelp, helpOn } from "./key-values.ts";

/** `-netdev user`: a network inside the process; only its forwards reach the host. */
export const userNetwork: BackendKind = ({ text, id, properties }, model) => {
  if (properties.some(([name, value]) => asksForHelp(name) && value === "on"))
    throw helpOn(
      "netdev user",
      USER_NETWORK_PROPERTIES.map((name) => [name, ["<value>"]]),
    );
  try {
    const { network: options, hostForwards, guestForwards } = parseUserNetwork(properties);
    const network = new UserNetwork(options);
    for (const forward of guestForwards) forwardToHost(network, forward);
    model.netdevs.add(id, network);
    const forwards: ReturnType<typeof forwardToGuest>[] = [];
    return {
      open() {
        forwards.push(...hostForwards.map((forward) => forwardToGuest(network, forward)));
        return Promise.all(forwards).catch((error: unknown) => {
          throw inputError(text, error);
        });
      },
      reachesHost: hostForwards.length + guestForwards.length > 0,
      close() {
        network.close();
        // One that could not be opened was reported by `open`.
        for (const forward of forwards) forward.then((open) => open.close()).catch(() => {});
      },
    };
  } catch (error) {
    throw inputError(text, error);
  }
};

function inputError(text: string, error: unknown): unknown {
  return error instanceof BackendOptionError ? new CommandError(`${text}: ${error.message}`) : error;
}
