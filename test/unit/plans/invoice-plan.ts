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
    return runProcess(process.execPath, [join(this.root, 'plan', 'scripts', script), ...args]);
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

  /** All three tasks in their order, by the commands of plan.md; answers with the bytes of the spreadsheet. */
  async runAll(inputFolder: string): Promise<Buffer> {
    const batch = await this.folder();
    const outputFile = join(batch, 'output', 'totals.csv');
    for (const name of ['results', 'output', 'logs']) await mkdir(join(batch, name));
    const values = { INPUT_FOLDER: inputFolder, OUTPUT_FILE: outputFile, BATCH_PATH: batch };

    succeeded(await this.runTask('scan', values));
    const waiting: ManifestEntry[] = JSON.parse(
      await readFile(join(batch, 'manifest.json'), 'utf8'),
    ).invoices;
    const worker = async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        succeeded(await this.runTask('extract', { ...values, 'ITEM.id': item.id, 'ITEM.path': item.path }));
      }
    };
    // Two at a time: each keeps a core busy, and other test files run beside this one.
    await Promise.all([worker(), worker()]);
    succeeded(await this.runTask('combine', values));
    return readFile(outputFile);
  }

  /** Runs the command of a task in bash, in the batch's folder, every value quoted as one word. */
  private async runTask(id: string, values: Record<string, string>): Promise<Finished> {
    const text = await readFile(join(this.root, 'plan', 'plan.md'), 'utf8');
    const task = text
      .split('\n## Tasks\n')[1]
      ?.split('\n### ')
      .find((each) => each.startsWith(`${id}\n`));
    const command = /\*\*command\*\*: `(.+)`/.exec(task ?? '')?.[1];
    if (command === undefined) throw new Error(`plan.md has no command for ${id}`);
    const all: Record<string, string> = { ...values, PLAN_PATH: join(this.root, 'plan') };
    const line = command.replace(/\{([A-Z_]+(?:\.[a-z]+)?)\}/g, (placeholder, name: string) => {
      const value = all[name];
      if (value === undefined) throw new Error(`${id}: nothing known as ${placeholder}`);
      return `'${value.replaceAll("'", "'\\''")}'`;
    });
    return runProcess('bash', ['-c', line], values['BATCH_PATH']);
  }
}

function runProcess(program: string, args: string[], cwd?: string): Promise<Finished> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error);
    });
  });
}

function succeeded({ code, stderr }: Finished): void {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
}
