import type { Request, Response } from 'express';

import { accountTypes, type Requester } from '@seneschal/contracts';
import { forbidden } from '@seneschal/matrix';
import { Networks } from '@seneschal/network';

import { addressOf } from './address.ts';

/** From where administrators may come; empty lists allow everything. */
export interface AdminAccess {
  /** Addresses and networks such as `10.0.0.0/8`. */
  networks: readonly string[];
  /** Origins of browsers, such as `https://admin.example.org`. */
  origins: readonly string[];
}

/**
 * Keeps the admin API to the networks and origins that are allowed. It is asked before any token is looked at:
 * from elsewhere nobody can try tokens, and a stolen one is of no use.
 */
export class AdminGate {
  readonly #networks: Networks | undefined;
  readonly #origins: ReadonlySet<string> | undefined;

  constructor({ networks, origins }: AdminAccess) {
    this.#networks = networks.length === 0 ? undefined : new Networks(networks);
    this.#origins = origins.length === 0 ? undefined : new Set(origins);
  }

  /** Throws M_FORBIDDEN unless administrators may come from there. */
  check(request: Request): void {
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) throw forbidden(refusal);
  }

  /** The requester as seen from where they are: an administrator has the right only where it may be used. */
  seen(requester: Requester, request: Request): Requester {
    const isPlain = requester.accountType !== accountTypes.admin || this.#refusalOf(request) === undefined;
    return isPlain ? requester : { ...requester, accountType: accountTypes.user };
  }

  /** Tells browsers which origin may read the answer, where not any may. */
  setHeaders(request: Request, response: Response): void {
    if (this.#origins === undefined) return;
    const origin = request.get('origin');
    response.vary('Origin');
    if (origin !== undefined && this.#origins.has(origin)) {
      response.set('Access-Control-Allow-Origin', origin);
    } else {
      response.removeHeader('Access-Control-Allow-Origin');
    }
  }

  #refusalOf(request: Request): string | undefined {
    if (this.#networks?.includes(addressOf(request)) === false) {
      return 'The admin API is not to be used from this address.';
    }
    const origin = request.get('origin');
    // Who is no browser names no origin.
    const isForeign = origin !== undefined && this.#origins?.has(origin) === false;
    return isForeign ? 'The admin API is not to be used from pages of this origin.' : undefined;
  }
}
