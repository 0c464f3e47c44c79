import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type CliError, usageError } from '../client/cli-error.ts';
import type { Terminal } from '../client/terminal.ts';

export interface Tls {
  /** PEM, the certificate first and then those that lead to its authority. */
  readonly cert: string;
  readonly key: string;
  /** The host that the certificate is for, where it names one. */
  readonly name: string | null;
}

const DAY_MS = 24 * 3_600_000;
/** Time enough to renew it. */
const WARN_BEFORE_MS = 14 * DAY_MS;

/** What `--tls-cert` and `--tls-key` name, checked: what is wrong with them would else only show at the first client. */
export async function readTls(
  { tlsCert, tlsKey }: { tlsCert?: string; tlsKey?: string },
  terminal: Terminal,
  now: number = Date.now(),
): Promise<Tls | null> {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined)
    throw usageError('--tls-cert and --tls-key belong together', 'Both are PEM files.');
  const cert = await readPem('--tls-cert', tlsCert, terminal);
  const key = await readPem('--tls-key', tlsKey, terminal);
  const certificate = parseCertificate(cert, tlsCert);
  if (!certificate.checkPrivateKey(parseKey(key, tlsKey)))
    throw usageError(
      `${tlsKey} is not the key of the certificate in ${tlsCert}`,
      'Both come from the same request; where the file holds a chain, the certificate of this host stands first.',
    );
  checkDates(certificate, tlsCert, terminal, now);
  const mode = (await stat(resolve(terminal.cwd, tlsKey))).mode;
  if ((mode & 0o007) !== 0)
    terminal.err(`warning: others on this machine can read the key; run: chmod 600 '${tlsKey}'`);
  return { cert, key, name: hostOf(certificate) };
}

async function readPem(option: string, file: string, terminal: Terminal): Promise<string> {
  try {
    return await readFile(resolve(terminal.cwd, file), 'utf8');
  } catch (error) {
    throw usageError(`${option}: cannot read ${file}: ${(error as Error).message}`);
  }
}

function parseCertificate(text: string, file: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw notPem(file, 'certificate', text, 'PRIVATE KEY');
  }
}

function parseKey(text: string, file: string): KeyObject {
  if (text.includes('ENCRYPTED'))
    throw usageError(
      `the key in ${file} is protected by a passphrase`,
      `A server starts without anybody there; take it off: openssl pkey -in ${file} -out key.pem`,
    );
  try {
    return createPrivateKey(text);
  } catch {
    throw notPem(file, 'private key', text, 'CERTIFICATE');
  }
}

function notPem(file: string, what: string, text: string, other: string): CliError {
  const swapped = text.includes(`${other}-----`);
  return usageError(
    `${file} holds no ${what} in PEM form`,
    swapped ? 'Are --tls-cert and --tls-key the wrong way round?' : `It begins with -----BEGIN ...-----.`,
  );
}

function checkDates(certificate: X509Certificate, file: string, terminal: Terminal, now: number): void {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (now > to)
    throw usageError(
      `the certificate in ${file} expired on ${day(to)}`,
      'No client would connect. Renew it.',
    );
  if (now < from)
    throw usageError(
      `the certificate in ${file} is valid only from ${day(from)} on`,
      `Is the clock of this machine right? It says ${new Date(now).toISOString()}.`,
    );
  if (to - now < WARN_BEFORE_MS) terminal.err(`warning: the certificate in ${file} expires on ${day(to)}`);
}

/** Its first name that is one host: `*.example.com` is none. */
function hostOf({ subjectAltName }: X509Certificate): string | null {
  const names = (subjectAltName ?? '').split(', ');
  const dns = names.find((name) => name.startsWith('DNS:') && !name.includes('*'))?.slice(4);
  return dns ?? names.find((name) => name.startsWith('IP Address:'))?.slice('IP Address:'.length) ?? null;
}
