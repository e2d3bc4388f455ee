import type { JsonObject, JsonValue } from '@seneschal/matrix';

import { isStorable } from '../edus/shapes.ts';

const maximumStripped = 50;

/**
 * What another server tells of a room that our user is invited to or knocks at, of which clients get to see nothing
 * else. What is no stripped event, or holds text that the database cannot, is left out, and the invite holds.
 */
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
    !Array.isArray(content) &&
    holdsStorable(event as JsonObject);
  return isSound ? [{ type, state_key: stateKey, sender, content }] : [];
}

/** Whether all keys and texts within can be stored; bodies are not deep enough for this to go deep. */
function holdsStorable(value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return isStorable(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, one]) => isStorable(key) && holdsStorable(one));
}
