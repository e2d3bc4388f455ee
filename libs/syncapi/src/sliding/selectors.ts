import type { StateSelector } from '@seneschal/contracts';

const memberType = 'm.room.member';

/** What state a client wants of a room: MSC4186, `required_state`. */
export interface StateConfig {
  /** Pairs as JSON, in order: the same state is always the same text. */
  readonly pairs: readonly string[];
  /** Whether the members are told of whom the timeline speaks. */
  readonly isLazy: boolean;
}

const lazy = JSON.stringify([memberType, '$LAZY']);

/** The state that any of several configurations asks for; `$ME` is the user. */
export function stateConfig(userId: string, wanted: readonly (readonly [string, string][])[]): StateConfig {
  const pairs = new Set<string>();
  const configs = wanted.map((config) => expand(userId, config));
  for (const config of configs) for (const pair of config) pairs.add(pair);
  // All members make it needless to tell some.
  if (pairs.has(JSON.stringify([memberType, '*']))) pairs.delete(lazy);
  return { pairs: [...pairs].sort(), isLazy: pairs.has(lazy) };
}

/** `*` for a type stands for members too, unless they are to be told lazily. */
function expand(userId: string, config: readonly [string, string][]): string[] {
  const isLazy = config.some(([type, key]) => type === memberType && key === '$LAZY');
  return config.flatMap(([type, key]) => {
    const stateKey = key === '$ME' ? userId : key;
    const pair = JSON.stringify([type, stateKey]);
    const isAboutMembers = type === '*' && !(isLazy && stateKey === '*');
    return isAboutMembers ? [pair, JSON.stringify([memberType, stateKey])] : [pair];
  });
}

/** The text by which a configuration is kept, and the other way round. */
export function textOf({ pairs }: StateConfig): string {
  return JSON.stringify(pairs);
}

export function configOf(text: string): StateConfig {
  const pairs = JSON.parse(text) as string[];
  return { pairs, isLazy: pairs.includes(lazy) };
}

export function selectorsOf(pairs: readonly string[]): StateSelector[] {
  return pairs
    .filter((pair) => pair !== lazy)
    .map((pair) => {
      const [type, key] = JSON.parse(pair) as [string, string];
      return { type: type === '*' ? null : type, stateKey: key === '*' ? null : key };
    });
}

/** What is asked for now, and was not before. */
export function addedPairs(now: StateConfig, before: StateConfig): string[] {
  const known = new Set(before.pairs);
  return now.pairs.filter((pair) => pair !== lazy && !known.has(pair));
}

export function selects(
  selectors: readonly StateSelector[],
  event: { type: string; state_key?: string | undefined },
): boolean {
  return selectors.some(
    ({ type, stateKey }) =>
      (type === null ? event.type !== memberType : type === event.type) &&
      (stateKey === null || stateKey === event.state_key),
  );
}
