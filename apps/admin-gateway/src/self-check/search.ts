import type { RoomserverForSearch, SearchForAdmin } from '@seneschal/contracts';

import type { Check } from './finding.ts';

export interface SearchDeps {
  search: Pick<SearchForAdmin, 'status'>;
  roomserver: Pick<RoomserverForSearch, 'position' | 'eventsOfTypes'>;
}

/** Whether messages can be searched. That consumers keep the index up to date is looked at apart. */
export function search({ search: reads, roomserver }: SearchDeps): Check {
  return {
    name: 'search',
    run: async () => {
      const { isOn, problem, index } = await reads.status({ compare: false });
      if (!isOn) return [];
      if (problem !== undefined) {
        return [
          {
            id: 'search_engine_fails',
            severity: 'critical',
            meaning: `Users cannot search, as the search engine cannot be used: ${problem}`,
            remedy: 'Look at meilisearch_url and meilisearch_api_key, and whether the engine runs.',
          },
        ];
      }
      if (index !== undefined || !(await hasMessages(roomserver))) return [];
      return [
        {
          id: 'search_index_missing',
          severity: 'warning',
          meaning: 'There is no search index: users find nothing.',
          remedy: 'Start a worker with the component search, or POST /_dendrite/admin/fulltext/reindex.',
        },
      ];
    },
  };
}

/** The index is made for the first message; before it there is nothing to find. */
async function hasMessages(roomserver: SearchDeps['roomserver']): Promise<boolean> {
  const page = { types: ['m.room.message'], after: 0, upTo: await roomserver.position(), limit: 1 };
  return (await roomserver.eventsOfTypes(page)).length > 0;
}
