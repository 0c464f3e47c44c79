import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connect } from './client.mjs';

/** As the real agent sends them. */
const CHUNK_ITEMS = 500;
const CHUNKS_PER_REQUEST = 50;
const POLL_S = 25;

/**
 * An agent that speaks the wire protocol and spawns nothing: every task it gets has succeeded at once. Like the
 * real one it keeps a claim outstanding all the time and asks for the next tasks with each results request, so that
 * the control plane has the same work as with real agents.
 */
export async function startWireAgent(server, { name, slots }) {
  const client = connect(server.url, server.token);
  const path = `/v1/agents/${name}`;
  const registered = await client.post('/v1/agents/register', {
    protocol: 1,
    name,
    boot_id: randomUUID(),
    started_at: Date.now(),
    hostname: hostname(),
    version: '0.0.0',
    slots,
    labels: [],
    storage: 'bench',
    have: [],
  });
  const { session } = registered;
  const seen = new Set();
  /** Lease number by task, of tasks whose reports are not acknowledged yet. */
  const held = new Map();
  const finished = [];
  let items = [];
  let accepted = 0;
  let requests = 0;
  let stopped = false;
  let poll = new AbortController();
  let ring = () => {};
  let failure = null;
  let onAccepted = () => {};

  const claimRequest = () => ({ session, slots, have: [...new Set(held.values())] });

  function takeIn(answer) {
    const lists = new Map(answer.stages.map((stage) => [stage.stage, stage.lists]));
    for (const task of answer.leases) {
      const key = keyOf(task);
      // The poll under way may name tasks again that came with a results answer.
      if (seen.has(key)) continue;
      seen.add(key);
      held.set(key, task.lease);
      finished.push({ task, lists: lists.get(task.stage) ?? [] });
    }
    if (finished.length > 0) ring();
  }

  async function keepPolling() {
    while (!stopped) {
      poll = new AbortController();
      try {
        takeIn(await client.post(`${path}/claim?wait=${POLL_S}`, claimRequest(), poll.signal));
      } catch (error) {
        if (!poll.signal.aborted) throw error;
      }
      requests += 1;
    }
  }

  async function keepDelivering() {
    while (!stopped) {
      if (finished.length === 0) {
        await new Promise((resolve) => {
          ring = resolve;
        });
        continue;
      }
      const reported = finished.splice(0, slots);
      const reports = [];
      for (const each of reported) reports.push(await report(each));
      const answer = await client.post(`${path}/results`, { session, reports, claim: claimRequest() });
      requests += 1;
      for (const [index, { task }] of reported.entries()) {
        if (answer.results[index] !== 'accepted') throw new Error(`A report was ${answer.results[index]}.`);
        accepted += 1;
        held.delete(keyOf(task));
      }
      takeIn(answer.claim);
      onAccepted();
    }
  }

  async function report({ task, lists }) {
    const now = Date.now();
    const sent = [];
    for (const { list } of lists) sent.push({ list, ...(await sendItems(list, task.lease)) });
    return {
      stage: task.stage,
      ordinal: task.ordinal,
      lease: task.lease,
      attempt: task.attempt,
      outcome: 'succeeded',
      error_type: null,
      message: null,
      exit_code: 0,
      signal: null,
      tail: '',
      started_at: now,
      ended_at: now,
      lists: sent,
      files: [],
    };
  }

  async function sendItems(list, lease) {
    const chunks = [];
    for (let offset = 0; offset < items.length; offset += CHUNK_ITEMS) {
      const part = items.slice(offset, offset + CHUNK_ITEMS);
      chunks.push({
        offset,
        sha256: createHash('sha256').update(JSON.stringify(part)).digest('hex'),
        items: part,
      });
    }
    for (let at = 0; at < chunks.length; at += CHUNKS_PER_REQUEST)
      await client.post(`${path}/items`, {
        session,
        list,
        lease,
        chunks: chunks.slice(at, at + CHUNKS_PER_REQUEST),
      });
    return { count: items.length, chunks: chunks.map((chunk) => chunk.sha256) };
  }

  const fail = (error) => {
    failure ??= error;
    onAccepted();
  };
  const loops = [keepPolling().catch(fail), keepDelivering().catch(fail)];

  return {
    client,
    requests: () => requests,
    /** What the next task that reads a list finds in it. */
    bringList(list) {
      items = list;
    },
    /** Resolves when `count` more tasks are accepted. Asked for before the batch is submitted, so that none is missed. */
    async work(count) {
      if (failure !== null) throw failure;
      const until = accepted + count;
      await new Promise((resolve, reject) => {
        onAccepted = () => {
          if (failure !== null) reject(failure);
          else if (accepted >= until) resolve();
        };
        onAccepted();
      });
      seen.clear();
    },
    async close() {
      stopped = true;
      poll.abort();
      ring();
      await Promise.all(loops);
      client.close();
    },
  };
}

function keyOf(task) {
  return `${task.stage}:${task.ordinal}:${task.lease}`;
}
