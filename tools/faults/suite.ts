import type { Place } from './checkpoints.ts';
import { faults, killed } from './faults.ts';
import { type Ground, Stand } from './stand.ts';

/** `npm run test:faults` does all of it; beside the other tests some of it. */
export const isFull = process.env['SENESCHAL_FAULTS'] === 'full';

export interface Suite {
  /** Where things other than SIGKILL are done to it. */
  middle: Place;
  /** Where its worker is killed: all checkpoints of these phases, or in the shortened form one. */
  phases: readonly Pick<Place, 'kind' | 'phase'>[];
  shortened: Place;
  ground(stand: Stand): Promise<Ground>;
  /** Some of what an undisturbed run has to come to. */
  expected: object;
}

/** A phase has as many runs as checkpoints, twice, of some ten seconds each. */
const longMs = 7_200_000;

/**
 * The faults that every job has to bear: after each of them it comes to the end of an undisturbed run. For use
 * within a describe; answers what gives the stand.
 */
export function itBearsFaults(suite: Suite): () => Stand {
  let stand: Stand;
  let undisturbed: object;
  const ground = (): Promise<Ground> => suite.ground(stand);

  beforeAll(async () => {
    stand = await Stand.open();
    undisturbed = await stand.undisturbed(await ground());
  }, 180_000);
  afterAll(() => stand.stop(), 60_000);

  it('comes to its end when nothing is done to the server', () => {
    expect(undisturbed).toMatchObject(suite.expected);
  });

  /** False when there is no such checkpoint. */
  async function killAt(place: Place): Promise<boolean> {
    for (const how of ['lost', 'kept'] as const) {
      const end = await stand.disturbed(await ground(), place, killed(how));
      if (end === undefined) return false;
      expect({ place, how, end }).toEqual({ place, how, end: undisturbed });
      // Jest tells nothing of a file before its end, which is an hour away.
      process.stderr.write(`${place.kind}, ${place.phase}, checkpoint ${place.nth} ${how}: the same end\n`);
    }
    return true;
  }

  /** Answers how many checkpoints there were. */
  async function killAtEach(phase: Pick<Place, 'kind' | 'phase'>): Promise<number> {
    for (let nth = 1; ; nth += 1) if (!(await killAt({ ...phase, nth }))) return nth - 1;
  }

  if (isFull) {
    it.each(suite.phases)(
      'comes to the same end when its worker is killed at each checkpoint of $kind, $phase',
      async (phase) => {
        expect(await killAtEach(phase)).toBeGreaterThan(0);
        // Where a phase has more checkpoints one time than another, the last one may have been missed.
        expect(await killAt({ ...phase, nth: 'last' })).toBe(true);
      },
      longMs,
    );
  } else {
    it('comes to the same end when its worker is killed at a checkpoint', async () => {
      expect(await stand.disturbed(await ground(), suite.shortened, killed('lost'))).toEqual(undisturbed);
    }, 120_000);
  }

  it.each(Object.entries(faults))(
    'comes to the same end when %s',
    async (_name, fault) => {
      expect(await stand.disturbed(await ground(), suite.middle, fault)).toEqual(undisturbed);
    },
    120_000,
  );

  return () => stand;
}
