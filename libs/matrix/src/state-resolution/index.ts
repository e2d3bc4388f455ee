import { resolveWithAlgorithm1 } from './algorithm-1.ts';
import { resolveWithAlgorithm2 } from './algorithm-2.ts';
import type { ResolutionInput } from './types.ts';

export {
  stateMapKey,
  type EventSource,
  type ResolutionEvent,
  type ResolutionInput,
  type StateMap,
} from './types.ts';

/**
 * The resolution of a set of states: the state before an event whose `prev_events` lead to them. Pure; depends on neither
 * the order of the states nor that of their entries; never fails on account of what events hold. Takes time in proportion
 * to the differing state and its auth chains.
 */
export function resolveState(input: ResolutionInput): Map<string, string> {
  const [first] = input.states;
  if (first === undefined) return new Map();
  if (input.states.every((state) => state === first)) return new Map(first);
  return input.version.stateResolution === '1' ? resolveWithAlgorithm1(input) : resolveWithAlgorithm2(input);
}
