/** Entry of every arm of a measured process. Not for use by hand. */
import { repertoire } from "./suites/repertoire.ts";
import { runArm } from "./trio/arm.ts";

runArm(repertoire);
