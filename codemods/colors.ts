import picocolors from "picocolors";
import { wantsColours } from "#host";

/** Colours on a terminal only: pipes, patches and logs get plain text, unless FORCE_COLOR asks for more. */
export const colors = picocolors.createColors(wantsColours());
