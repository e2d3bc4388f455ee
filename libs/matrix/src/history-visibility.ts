/** How visible events are while a value is in force (client-server API, "Room History Visibility"). */
export type HistoryVisibility = 'world_readable' | 'shared' | 'invited' | 'joined';

export interface VisibilityQuestion {
  readonly visibility: HistoryVisibility;
  /** The reader's membership at the event; undefined when there was none. */
  readonly membership: string | undefined;
  /** Whether the reader joined at any point after the event. */
  readonly joinedLater: boolean;
}

export interface MembershipChange {
  readonly position: number;
  readonly membership: string;
}

export interface VisibilityChange {
  readonly position: number;
  readonly value: string;
}

export type VisibilityFilter = (
  eventPosition: number,
  event: { readonly type: string; readonly state_key?: string | undefined },
) => boolean;

/** The five rules for one event and one reader, given the state at the event. */
export function isEventVisible({ visibility, membership, joinedLater }: VisibilityQuestion): boolean {
  if (visibility === 'world_readable' || membership === 'join') return true;
  if (visibility === 'shared') return joinedLater;
  return visibility === 'invited' && membership === 'invite';
}

/** A value that is absent or not understood counts as `shared`. */
export function parseHistoryVisibility(value: unknown): HistoryVisibility {
  return value === 'world_readable' || value === 'invited' || value === 'joined' ? value : 'shared';
}

/**
 * Decides for a page of events which of them one reader may see, without a query per event. Both lists are sorted by
 * position and may be empty: all changes of the reader's own membership in the room, and all changes of its
 * `m.room.history_visibility`. A change's position is that of its own event; readers always see their own membership
 * events, and a visibility change where the value before or after it allows.
 */
export function visibilityFilter(
  userMemberships: readonly MembershipChange[],
  visibilities: readonly VisibilityChange[],
): VisibilityFilter {
  const lastJoin = userMemberships.findLast((change) => change.membership === 'join')?.position ?? -Infinity;
  return (position, event) => {
    const own = lastAtOrBefore(userMemberships, position);
    if (event.type === 'm.room.member' && own?.position === position) return true;
    const visibleUnder = (value: string | undefined): boolean =>
      isEventVisible({
        visibility: parseHistoryVisibility(value),
        membership: own?.membership,
        joinedLater: lastJoin > position,
      });
    if (visibleUnder(lastAtOrBefore(visibilities, position)?.value)) return true;
    return (
      event.type === 'm.room.history_visibility' &&
      visibleUnder(lastAtOrBefore(visibilities, position, true)?.value)
    );
  };
}

/** Positions from `from`, up to but without `to`. */
export interface PositionRange {
  from: number;
  to: number;
}

/**
 * The positions at which one reader may see ordinary events: what `visibilityFilter` answers, as ranges in order
 * that do not touch. The last one may be without an end.
 */
export function visibleRanges(
  userMemberships: readonly MembershipChange[],
  visibilities: readonly VisibilityChange[],
): PositionRange[] {
  const isVisible = visibilityFilter(userMemberships, visibilities);
  // The answer changes at changes alone.
  const changes = [...userMemberships, ...visibilities].map((change) => change.position);
  const starts = [...new Set([-Infinity, ...changes])].sort((a, b) => a - b);
  const ranges: PositionRange[] = [];
  starts.forEach((from, index) => {
    if (!isVisible(from, { type: 'm.room.message' })) return;
    const to = starts[index + 1] ?? Infinity;
    const last = ranges.at(-1);
    if (last?.to === from) last.to = to;
    else ranges.push({ from, to });
  });
  return ranges;
}

/** Binary search for the change in force at a position, or just before it. */
function lastAtOrBefore<T extends { readonly position: number }>(
  changes: readonly T[],
  position: number,
  strictlyBefore = false,
): T | undefined {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = changes[middle]?.position ?? Infinity;
    if (strictlyBefore ? at < position : at <= position) low = middle + 1;
    else high = middle;
  }
  return changes[low - 1];
}
