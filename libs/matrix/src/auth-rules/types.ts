import { forbidden, isMatrixError } from '../errors.ts';
import type { Pdu } from '../events.ts';
import { ownString } from '../json-types.ts';
import { parsePowerLevels, userPowerLevel, type PowerLevels } from '../power-levels.ts';
import type { RoomVersion } from '../room-versions.ts';

/** The state that an event is judged by: the event under a type and state key, if there is one. */
export interface AuthState {
  get(type: string, stateKey: string): Pdu | undefined;
}

export interface AuthoriseOptions {
  /**
   * The event is known to be validly signed by the server of the user in `join_authorised_via_users_server`, or is
   * about to be signed by it. Without it every event that carries the key is refused.
   */
  readonly joinAuthorisedSignatureValid?: boolean;
}

/** What every rule is given. The power levels are read only when a rule needs them. */
export interface RuleContext {
  readonly pdu: Pdu;
  readonly roomId: string;
  readonly state: AuthState;
  readonly create: Pdu;
  readonly version: RoomVersion;
  readonly options: AuthoriseOptions;
}

/** Rejects the event (M_FORBIDDEN, with the reason) unless the condition holds. */
export function demand(condition: boolean, reason: string): asserts condition {
  if (!condition) throw forbidden(reason);
}

/** A user's membership in the state; undefined when there is no member event or none that can be read. */
export function membershipOf(context: RuleContext, userId: string): string | undefined {
  return ownString(context.state.get('m.room.member', userId)?.content, 'membership');
}

/** The power levels in the state, undefined when there are none; those that cannot be read forbid everything. */
export function powerLevelsOf(context: RuleContext): PowerLevels | undefined {
  const event = context.state.get('m.room.power_levels', '');
  if (event === undefined) return undefined;
  try {
    return parsePowerLevels(event.content, context.version);
  } catch (error) {
    if (!isMatrixError(error)) throw error;
    throw forbidden(`The power levels of the room cannot be read: ${error.message}`);
  }
}

export function levelOf(context: RuleContext, userId: string): number {
  return userPowerLevel(userId, powerLevelsOf(context), context.create, context.version);
}
