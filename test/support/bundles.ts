import { packTar, type TarEntry } from 'modern-tar';

/** A file of a tar archive. */
export function fileEntry(name: string, body: string | Uint8Array = 'x'): TarEntry {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { header: { name, size: bytes.length, type: 'file' }, body: bytes };
}

/** A submission with a bundle, or without one, and its fields. */
export function bundleForm(bundle: Uint8Array | null, fields: Record<string, string> = {}): FormData {
  const form = new FormData();
  if (bundle !== null) form.append('bundle', new Blob([new Uint8Array(bundle)]), 'plan.tgz');
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

/** A submission with a bundle of these files. */
export async function bundleOf(files: Record<string, string>): Promise<FormData> {
  return bundleForm(await packTar(Object.entries(files).map(([path, body]) => fileEntry(path, body))));
}
