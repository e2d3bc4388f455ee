import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { generate } from 'selfsigned';

/** Makes a certificate for 127.0.0.1, signed by itself, in a folder; answers the names of its files. */
export async function makeCertificate(folder: string): Promise<{ certificate: string; key: string }> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keySize: 2048,
  });
  const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await Promise.all([writeFile(files.certificate, cert), writeFile(files.key, key)]);
  return files;
}
