import { createHash } from 'node:crypto';

import type { OpenApiDocument, Operation } from './types.ts';

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .2rem 0; }
code, pre { font: 13px/1.4 ui-monospace, monospace; }
pre { background: #8881; padding: .6rem; overflow: auto; max-height: 24rem; }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700; }
.access { color: #777; }
details > div { margin: 0 0 1rem 1rem; }
`;

/** What the page may load and run: its own style, and nothing else from anywhere. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The document as a page to browse: no script, no request to anywhere. */
export function openApiPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = document.tags.map(({ name }) => {
    const inside = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<h2 id="${escape(name)}">${escape(name)}</h2>\n${inside.map(operationHtml).join('\n')}`;
  });
  const contents = document.tags.map(({ name }) => `<a href="#${escape(name)}">${escape(name)}</a>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(document.info.title)} API</title><style>${style}</style></head><body>
<h1>${escape(document.info.title)} ${escape(document.info.version)}</h1>
<p>${operations.length} operations, as this server declares them: ${contents.join(' · ')}.
The same as <a href="openapi.json">OpenAPI 3.1</a>.</p>
${sections.join('\n')}
</body></html>
`;
}

function operationHtml(one: { path: string; method: string; operation: Operation }): string {
  const { path, method, operation } = one;
  const body = operation.requestBody?.content['application/json']?.schema;
  const answer = Object.values(operation.responses['200']?.content ?? {})[0]?.schema;
  return `<details id="${escape(operation.operationId)}"><summary>
<code><span class="method">${escape(method.toUpperCase())}</span>${escape(path)}</code>
<span class="access">${escape(operation['x-access'])}</span></summary><div>
<p>${escape(operation.summary)}</p>
${list(operation)}
${body === undefined ? '' : `<p>Body</p><pre>${json(body)}</pre>`}
${answer === undefined ? '<p>The answer is empty.</p>' : `<p>Answer</p><pre>${json(answer)}</pre>`}
</div></details>`;
}

function list({ parameters }: Operation): string {
  if (parameters.length === 0) return '';
  const items = parameters.map(({ name, in: place, required, schema, description }) => {
    const kind = `${place}${required ? ', required' : ''}`;
    const more = description === undefined ? '' : ` ${escape(description)}`;
    return `<li><code>${escape(name)}</code> (${kind})${more} <code>${json(schema, 0)}</code></li>`;
  });
  return `<ul>${items.join('')}</ul>`;
}

function json(value: unknown, indent = 2): string {
  return escape(JSON.stringify(value, undefined, indent));
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
