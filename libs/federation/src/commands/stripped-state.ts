import type { JsonObject } from '@seneschal/matrix';

const maximumStripped = 50;

/** What another server tells of a room that our user is invited to or knocks at, of which clients get to see nothing else. */
export function strippedStateOf(told: readonly unknown[]): JsonObject[] {
  return told.flatMap(stripped).slice(0, maximumStripped);
}

function stripped(event: unknown): JsonObject[] {
  if (typeof event !== 'object' || event === null) return [];
  const { type, state_key: stateKey, sender, content } = event as JsonObject;
  const isSound =
    typeof type === 'string' &&
    typeof stateKey === 'string' &&
    typeof sender === 'string' &&
    typeof content === 'object' &&
    content !== null &&
    !Array.isArray(content);
  return isSound ? [{ type, state_key: stateKey, sender, content }] : [];
}
