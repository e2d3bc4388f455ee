import { Positions } from './positions.ts';

/** Logs whose ends are told one look at a time. */
function logs(): { positions: Positions; looks: (() => void)[]; grow: () => void } {
  let end = 0;
  const looks: (() => void)[] = [];
  const position = async (): Promise<number> => {
    const seen = end;
    await new Promise<void>((resolve) => looks.push(resolve));
    return seen;
  };
  const userapi = { position: () => Promise.resolve(5) };
  return { positions: new Positions({ roomserver: { position }, userapi }), looks, grow: () => (end += 1) };
}

/** Lets everything that has settled go on. */
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('positions', () => {
  it('answer nothing older than the question', async () => {
    const { positions, looks, grow } = logs();
    const first = positions.now();
    grow();
    const second = positions.now();
    const third = positions.now();
    looks.shift()?.();
    expect(await first).toEqual({ roomserver: 0, userapi: 5 });
    await tick();
    // Those who asked meanwhile share one look.
    expect(looks).toHaveLength(1);
    looks.shift()?.();
    expect(await Promise.all([second, third])).toEqual([
      { roomserver: 1, userapi: 5 },
      { roomserver: 1, userapi: 5 },
    ]);
  });

  it('are remembered for those to whom a little older is new enough', async () => {
    const { positions, looks, grow } = logs();
    const first = positions.now();
    looks.shift()?.();
    await first;
    grow();
    expect(await positions.recent(60_000)).toEqual({ roomserver: 0, userapi: 5 });
    const fresh = positions.recent(-1);
    looks.shift()?.();
    expect(await fresh).toEqual({ roomserver: 1, userapi: 5 });
  });

  it('look again after a look has failed', async () => {
    let failures = 1;
    const position = (): Promise<number> =>
      failures-- > 0 ? Promise.reject(new Error('no database')) : Promise.resolve(3);
    const positions = new Positions({ roomserver: { position }, userapi: { position: async () => 0 } });
    const [failed, next] = [positions.now(), positions.now()];
    await expect(failed).rejects.toThrow('no database');
    expect(await next).toEqual({ roomserver: 3, userapi: 0 });
  });
});
