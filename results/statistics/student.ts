/**
 * Two-sided tail probability of Student's t for an integer number of degrees of freedom: of a value at least as far
 * from zero as `t`.
 *
 * Closed forms of Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.7.3 and 26.7.4.
 */
export function studentProbability(t: number, degreesOfFreedom: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(degreesOfFreedom));
  const cosine = Math.cos(angle);
  const odd = degreesOfFreedom % 2 === 1;
  let sum = 0;
  let term = odd ? cosine : 1;
  for (let i = odd ? 3 : 2; i <= degreesOfFreedom; i += 2) {
    sum += term;
    term *= (cosine * cosine * (i - 1)) / i;
  }
  const within = Math.sin(angle) * sum;
  return Math.max(0, 1 - (odd ? (2 / Math.PI) * (angle + within) : within));
}

/** The two-sided quantile: the t beyond which, on both sides together, lies this probability. */
export function studentQuantile(probability: number, degreesOfFreedom: number): number {
  let low = 0;
  let high = 1;
  while (studentProbability(high, degreesOfFreedom) > probability) high *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (studentProbability(middle, degreesOfFreedom) > probability) low = middle;
    else high = middle;
  }
  return high;
}
