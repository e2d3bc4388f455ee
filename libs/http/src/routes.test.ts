import { z } from 'zod';

import { endpoint, type Endpoint, type Method } from './endpoint.ts';
import { Routes } from './routes.ts';

const route = (method: Method, path: string): Endpoint =>
  endpoint({
    method,
    path,
    access: 'public',
    rateLimit: 'none',
    summary: path,
    answer: z.object({}),
    handle: async () => ({}),
  });

function found(routes: Routes, method: string, path: string): unknown {
  const match = routes.match(method, path);
  return match.kind === 'found' ? [match.endpoint.summary, match.params] : match.kind;
}

describe('Routes', () => {
  it('prefers what is written out to a parameter', () => {
    const routes = new Routes([route('GET', '/a/:x'), route('GET', '/a/b')]);
    expect(found(routes, 'GET', '/a/b')).toEqual(['/a/b', {}]);
    expect(found(routes, 'GET', '/a/c')).toEqual(['/a/:x', { x: 'c' }]);
  });

  it('goes back to the parameter when what is written out leads nowhere', () => {
    const routes = new Routes([route('GET', '/:x/y/:z'), route('GET', '/a/y')]);
    expect(found(routes, 'GET', '/a/y/1')).toEqual(['/:x/y/:z', { x: 'a', z: '1' }]);
  });

  it('names the parameters of each method by itself', () => {
    const routes = new Routes([route('GET', '/a/:x'), route('PUT', '/a/:y')]);
    expect(found(routes, 'GET', '/a/1')).toEqual(['/a/:x', { x: '1' }]);
    expect(found(routes, 'PUT', '/a/1')).toEqual(['/a/:y', { y: '1' }]);
    expect(found(routes, 'POST', '/a/1')).toBe('method');
  });

  it('leaves parameters escaped, so that %2F separates nothing', () => {
    const routes = new Routes([route('GET', '/a/:x')]);
    expect(found(routes, 'GET', '/a/b%2Fc')).toEqual(['/a/:x', { x: 'b%2Fc' }]);
    expect(found(routes, 'GET', '/a/')).toBe('path');
    expect(found(routes, 'GET', '/a')).toBe('path');
  });

  it('takes an empty last segment only where it is declared', () => {
    const routes = new Routes([route('GET', '/a/:x/')]);
    expect(found(routes, 'GET', '/a/1/')).toEqual(['/a/:x/', { x: '1' }]);
    expect(found(routes, 'GET', '/a/1')).toBe('path');
  });

  it('refuses two endpoints of the same method and path', () => {
    expect(() => new Routes([route('GET', '/a/:x'), route('GET', '/a/:y')])).toThrow(/declared twice/);
  });

  it('is no way into the object underneath', () => {
    const routes = new Routes([route('GET', '/a')]);
    for (const path of ['/__proto__', '/constructor', '/a/__proto__']) {
      expect(found(routes, 'GET', path)).toBe('path');
    }
    expect(found(routes, '__proto__', '/a')).toBe('method');
  });
});
