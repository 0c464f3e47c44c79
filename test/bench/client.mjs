import { Agent, request } from 'node:http';

/** HTTP with JSON over connections that stay open, with as little work on this side as can be. */
export function connect(url, token) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  function send(method, path, { type, body, signal }) {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      if (body !== undefined) {
        headers['content-type'] = type;
        headers['content-length'] = Buffer.byteLength(body);
      }
      const sent = request(`${url}${path}`, { method, agent, headers, signal }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode < 300) resolve(JSON.parse(text));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 2_000)}`));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  const post = (path, value, signal) =>
    send('POST', path, { type: 'application/json', body: JSON.stringify(value), signal });
  const get = (path) => send('GET', path, {});

  return {
    post,
    get,
    submit: (markdown, inputs = {}) =>
      send('POST', `/v1/batches?${new URLSearchParams(inputs)}`, { type: 'text/markdown', body: markdown }),
    async untilStages(batch_id, isReached, pause_ms = 20) {
      for (;;) {
        const { items } = await get(`/v1/batches/${batch_id}/stages`);
        if (isReached(items)) return items;
        await new Promise((resolve) => setTimeout(resolve, pause_ms));
      }
    },
    close: () => agent.destroy(),
  };
}
