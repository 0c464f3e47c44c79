import { serve } from '@hono/node-server';
import { Hono } from 'hono';

const app = new Hono();
app.post('/results', async (c) => {
  const { reports } = await c.req.json();
  return c.json({
    results: reports.map(() => 'accepted'),
    claim: {
      leases: reports.map(({ stage, ordinal, lease }) => ({
        stage,
        ordinal,
        lease,
        attempt: 1,
        item: 'file',
      })),
      stages: [],
      stops: [],
    },
  });
});
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}`),
);
