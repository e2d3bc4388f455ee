/** Everything that starts can be stopped. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** Collects what was started and stops it in reverse order; one failing stop does not keep the others running. */
export class Lifecycle implements Stoppable {
  readonly #started: Stoppable[] = [];

  add<T extends Stoppable>(service: T): T {
    this.#started.push(service);
    return service;
  }

  async stop(): Promise<void> {
    const errors: unknown[] = [];
    for (let service = this.#started.pop(); service !== undefined; service = this.#started.pop()) {
      try {
        await service.stop();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'Not everything could be stopped.');
  }
}
