import { Lifecycle } from './lifecycle.ts';

describe('Lifecycle', () => {
  const stopped: string[] = [];
  const service = (name: string, error?: Error): { stop(): Promise<void> } => ({
    stop: async () => {
      stopped.push(name);
      if (error !== undefined) throw error;
    },
  });
  beforeEach(() => {
    stopped.length = 0;
  });

  it('stops in reverse order, and each service once', async () => {
    const lifecycle = new Lifecycle();
    const first = service('first');
    expect(lifecycle.add(first)).toBe(first);
    lifecycle.add(service('second'));
    await lifecycle.stop();
    await lifecycle.stop();
    expect(stopped).toEqual(['second', 'first']);
  });

  it('stops the others when one cannot be stopped, and then says which errors there were', async () => {
    const lifecycle = new Lifecycle();
    const error = new Error('stuck');
    lifecycle.add(service('first'));
    lifecycle.add(service('second', error));
    lifecycle.add(service('third'));
    await expect(lifecycle.stop()).rejects.toMatchObject({ errors: [error] });
    expect(stopped).toEqual(['third', 'second', 'first']);
  });
});
