import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const planFolder = fileURLToPath(new URL('../../../plans/invoice_processor', import.meta.url));

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

interface ManifestEntry {
  id: string;
  path: string;
  file: string;
}

/** The invoice plan as it lies on a machine: a copy of its folder with its packages, and batches beside it. */
export class InvoicePlan {
  private constructor(readonly root: string) {}

  static async install(): Promise<InvoicePlan> {
    const plan = new InvoicePlan(await mkdtemp(join(tmpdir(), 'invoice-plan-')));
    const copy = join(plan.root, 'plan');
    await cp(planFolder, copy, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
    await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund'], { cwd: copy });
    return plan;
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  /** A new folder of its own, for a batch or for its inputs. */
  async folder(): Promise<string> {
    return mkdtemp(join(this.root, 'folder-'));
  }

  run(script: string, args: string[]): Promise<Finished> {
    const file = join(this.root, 'plan', 'scripts', script);
    return new Promise((resolve, reject) => {
      execFile(process.execPath, [file, ...args], (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === 'number') resolve({ code, stdout, stderr });
        else reject(error);
      });
    });
  }

  async scan(inputFolder: string, batch: string): Promise<ManifestEntry[]> {
    const manifest = join(batch, 'manifest.json');
    succeeded(await this.run('scan.mjs', [inputFolder, manifest]));
    return JSON.parse(await readFile(manifest, 'utf8')).invoices;
  }

  extract(inputFolder: string, batch: string, { id, path }: { id: string; path: string }): Promise<Finished> {
    return this.run('extract.mjs', [inputFolder, path, join(batch, 'results', `${id}.json`)]);
  }

  combine(batch: string, outputFile: string): Promise<Finished> {
    return this.run('combine.mjs', [join(batch, 'manifest.json'), join(batch, 'results'), outputFile]);
  }

  /** All three steps in their order; answers with the bytes of the spreadsheet. */
  async runAll(inputFolder: string): Promise<Buffer> {
    const batch = await this.folder();
    const outputFile = join(batch, 'output', 'totals.csv');
    await mkdir(join(batch, 'results'));
    const waiting = await this.scan(inputFolder, batch);
    const worker = async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        succeeded(await this.extract(inputFolder, batch, item));
      }
    };
    // Two at a time: each keeps a core busy, and other test files run beside this one.
    await Promise.all([worker(), worker()]);
    succeeded(await this.combine(batch, outputFile));
    return readFile(outputFile);
  }
}

function succeeded({ code, stderr }: Finished): void {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
}
