import all from "./rolldown.config.ts";
export default (all as unknown[]).slice(-2);
