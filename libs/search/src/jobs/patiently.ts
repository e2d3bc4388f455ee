import type { Step, StepAnswer, StepContext } from '@seneschal/jobs';
import { MatrixError } from '@seneschal/matrix';

import { EngineRefused, EngineUnavailable } from '../engines/engine.ts';

const waitMs = 2000;

/** A step that waits, for as long as it takes, while the engine is away. */
export function patiently<Input extends object>(step: Step<Input>): Step<Input> {
  return async (context: StepContext<Input>): Promise<StepAnswer> => {
    try {
      return await step(context);
    } catch (error) {
      if (error instanceof EngineRefused) throw new MatrixError(400, 'M_UNKNOWN', error.message);
      if (!(error instanceof EngineUnavailable)) throw error;
      context.logger.warn({ error: error.message }, 'the search engine is away; the job waits for it');
      return { waitMs };
    }
  };
}
