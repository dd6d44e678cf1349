/** All kinds of scripts, by the name that tests report. */
import type { Random } from "../random.ts";
import type { Step } from "../script.ts";
import { aclint } from "./aclint.ts";
import { flash } from "./flash.ts";
import { fwCfg } from "./fw-cfg.ts";
import { maps } from "./maps.ts";
import { plic } from "./plic.ts";
import { rtc } from "./rtc.ts";
import { storm } from "./storm.ts";
import { uart } from "./uart.ts";

/** Generates a script of about `length` steps. */
export type Sequence = (random: Random, length: number) => Step[];

export const SEQUENCES: readonly (readonly [name: string, sequence: Sequence])[] = Object.entries({
  aclint,
  flash,
  fwCfg,
  maps,
  plic,
  rtc,
  storm,
  uart,
});
