/** Entry point of every arm of a measured process. Not to be run by hand. */
import { repertoire } from "./suites/repertoire.ts";
import { runArm } from "./trio/arm.ts";

runArm(repertoire);
