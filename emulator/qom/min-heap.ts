/** A binary min-heap of numbers. */
export class MinHeap {
  private readonly numbers: number[] = [];

  /** The smallest number, or -1 if the heap is empty. */
  get top(): number {
    return this.numbers[0] ?? -1;
  }

  push(number: number): void {
    const { numbers } = this;
    let place = numbers.push(number) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if ((numbers[above] as number) <= number) break;
      numbers[place] = numbers[above] as number;
      place = above;
    }
    numbers[place] = number;
  }

  pop(): void {
    const { numbers } = this;
    const last = numbers.pop();
    if (last === undefined || numbers.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= numbers.length) break;
      if (below + 1 < numbers.length && (numbers[below + 1] as number) < (numbers[below] as number)) below++;
      if ((numbers[below] as number) >= last) break;
      numbers[place] = numbers[below] as number;
      place = below;
    }
    numbers[place] = last;
  }
}
