import { mean } from "simple-statistics";
import { LEAST_OF_EXACT } from "./centre.ts";
import { studentProbability } from "./student.ts";

/**
 * Probability that the mean of some group lies as far from the mean of all others by chance alone: Student's t with the
 * scatter within the groups, times the number of groups (Bonferroni). For counts, which scatter so little that a few
 * tell more than their ranks can; never below what exact values are trusted with. 1 for fewer than two groups of at
 * least two.
 */
export function oneAgainstOthers(groups: readonly (readonly number[])[]): number {
  const compared = groups.filter(({ length }) => length >= 2);
  if (compared.length < 2) return 1;
  const means = compared.map((group) => mean([...group]));
  const count = compared.reduce((sum, { length }) => sum + length, 0);
  const squares = compared.reduce(
    (sum, group, g) => sum + group.reduce((part, value) => part + (value - (means[g] ?? 0)) ** 2, 0),
    0,
  );
  const degreesOfFreedom = count - compared.length;
  const chances = compared.map((group, g) => {
    const others = mean(compared.flatMap((each, other) => (other === g ? [] : [...each])));
    const distance = Math.abs((means[g] ?? 0) - others);
    if (distance === 0) return 1;
    const error = Math.sqrt((squares / degreesOfFreedom) * (1 / group.length + 1 / (count - group.length)));
    return studentProbability(distance / Math.max(error, distance * Number.EPSILON), degreesOfFreedom);
  });
  const tests = compared.length === 2 ? 1 : compared.length; // of two, each is the other's opposite
  return Math.min(1, Math.max(LEAST_OF_EXACT, tests * Math.min(...chances)));
}
