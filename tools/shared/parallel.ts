/** Does `work` for each item, `width` at a time; the first error stops it. */
export async function parallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
  onDone: (done: number) => void = () => undefined,
): Promise<void> {
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      await work(items[index] as T, index);
      done += 1;
      onDone(done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
