#!/usr/bin/env node
// Runs an ONNX model in ONNX Runtime: arrays in, arrays out. What tests and benchmarks compare with.
//
//   node onnxruntime_run.js MODEL.onnx --output FOLDER [--threads N] [--time RUNS]
//        [--one-by-one] [--input NAME=FILE.npy]... [--shape NAME=1x3x224x224]...
//
// Every input of the model needs an --input, or a --shape, for which zeros are taken. Each output is
// written to FOLDER/NAME.npy, with characters of NAME that are not letters, digits, _ . or -
// replaced by _; without --output none is. With --one-by-one the first axis of the inputs counts samples: the
// model, whose first extents are 1, runs for each, and the outputs are joined. Float arrays are given to half precision inputs as such.
// With --time a JSON line tells the median and the least milliseconds of so many runs.
//
// The package onnxruntime-node is looked for in $HALCYON_NODE_MODULES, in .cache/node/node_modules of
// this repository and where node itself looks. `benchmarks/peers/install_onnxruntime` installs it.
// Exit status: 0; 1 for any mistake, told on standard error; 77 where the package is missing.
'use strict';

const fs = require('fs');
const path = require('path');

function fail(message, status = 1) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(status);
}

function loadRuntime() {
  const folders = [process.env.HALCYON_NODE_MODULES,
                   path.join(__dirname, '..', '..', '.cache', 'node', 'node_modules')];
  for (const folder of folders) {
    if (folder && fs.existsSync(path.join(folder, 'onnxruntime-node'))) {
      return require(path.join(folder, 'onnxruntime-node'));
    }
  }
  try {
    return require('onnxruntime-node');
  } catch (error) {
    return fail('onnxruntime-node is not installed; benchmarks/peers/install_onnxruntime does it', 77);
  }
}

function parseArguments(words) {
  const options = {inputs: {}, shapes: {}, threads: 1, time: 0, oneByOne: false, output: null,
                   model: null};
  for (let i = 0; i < words.length; ++i) {
    const next = () => (i + 1 < words.length ? words[++i] : fail(`${words[i]} needs a value`));
    const pair = () => {
      const text = next();
      const at = text.indexOf('=');
      return at > 0 ? [text.slice(0, at), text.slice(at + 1)] : fail(`'${text}' is not NAME=VALUE`);
    };
    if (words[i] === '--input') {
      const [name, file] = pair();
      options.inputs[name] = file;
    } else if (words[i] === '--shape') {
      const [name, shape] = pair();
      options.shapes[name] = shape.split('x').map(Number);
    } else if (words[i] === '--threads') {
      options.threads = Number(next());
    } else if (words[i] === '--time') {
      options.time = Number(next());
    } else if (words[i] === '--one-by-one') {
      options.oneByOne = true;
    } else if (words[i] === '--output') {
      options.output = next();
    } else if (words[i].startsWith('--') || options.model) {
      fail(`unknown word '${words[i]}'`);
    } else {
      options.model = words[i];
    }
  }
  if (!options.model) fail('which model? the first lines of this file tell how it is called');
  return options;
}

const kTypes = {
  '<f4': ['float32', Float32Array], '<f8': ['float64', Float64Array], '<i8': ['int64', BigInt64Array],
  '<i4': ['int32', Int32Array], '|u1': ['uint8', Uint8Array], '|i1': ['int8', Int8Array],
  '|b1': ['bool', Uint8Array], '<f2': ['float16', Uint16Array],
};

// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
function readNpy(file) {
  const bytes = fs.readFileSync(file);
  if (bytes.toString('latin1', 0, 6) !== '\x93NUMPY') fail(`${file} is no .npy file`);
  const isFirst = bytes[6] === 1;
  const length = isFirst ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  const begin = isFirst ? 10 : 12;
  const header = bytes.toString('latin1', begin, begin + length);
  const descr = /'descr':\s*'([^']+)'/.exec(header);
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header);
  if (!descr || !shape || /'fortran_order':\s*True/.test(header) || !kTypes[descr[1]]) {
    fail(`${file}: cannot read arrays with the header ${header.trim()}`);
  }
  const dims = shape[1].split(',').map((s) => s.trim()).filter((s) => s).map(Number);
  const [type, TypedArray] = kTypes[descr[1]];
  // Small files lie in a buffer that they share with others: the file's end is not the buffer's.
  const data = bytes.buffer.slice(bytes.byteOffset + begin + length, bytes.byteOffset + bytes.length);
  return {type, dims, data: new TypedArray(data)};
}

function writeNpy(file, tensor) {
  const found = Object.entries(kTypes).find(([, [type]]) => type === tensor.type);
  if (!found) fail(`cannot write ${tensor.type} to ${file}`);
  const dims = tensor.dims.length === 1 ? `${tensor.dims[0]},` : tensor.dims.join(', ');
  let header = `{'descr': '${found[0]}', 'fortran_order': False, 'shape': (${dims}), }`;
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  const data = Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  fs.writeFileSync(file, Buffer.concat([start, Buffer.from(header, 'latin1'), data]));
}

// Rounds to the nearest, ties to even; what is too large becomes infinite.
function toHalf(values) {
  const single = new Float32Array(1), bits = new Uint32Array(single.buffer);
  return Uint16Array.from(values, (value) => {
    single[0] = value;
    const sign = (bits[0] >>> 16) & 0x8000, magnitude = bits[0] & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00;
    if (magnitude >= 0x47800000) return sign | 0x7c00;
    if (magnitude < 0x38800000) return sign | Math.round(Math.abs(value) * 0x1000000);
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  });
}

function inputTensor(ort, session, name, options) {
  const about = (session.inputMetadata || []).find((m) => m.name === name) || {};
  const wanted = about.type || 'float32';
  let array;
  if (options.inputs[name]) {
    array = readNpy(options.inputs[name]);
  } else if (options.shapes[name]) {
    const dims = options.shapes[name];
    array = {type: 'float32', dims, data: new Float32Array(dims.reduce((a, b) => a * b, 1))};
  } else {
    fail(`input '${name}' has neither --input nor --shape`);
  }
  if (wanted === 'float16' && array.type === 'float32') {
    array = {type: 'float16', dims: array.dims, data: toHalf(array.data)};
  }
  return new ort.Tensor(array.type, array.data, array.dims);
}

async function runOneByOne(ort, session, feeds) {
  const count = feeds[session.inputNames[0]].dims[0];
  const parts = [];
  for (let n = 0; n < count; ++n) {
    const sample = {};
    for (const [name, all] of Object.entries(feeds)) {
      const size = all.data.length / count;
      sample[name] = new ort.Tensor(all.type, all.data.slice(n * size, (n + 1) * size), [1, ...all.dims.slice(1)]);
    }
    parts.push(await session.run(sample));
  }
  const joined = {};
  for (const name of session.outputNames) {
    const first = parts[0][name];
    const data = new first.data.constructor(first.data.length * count);
    parts.forEach((part, n) => data.set(part[name].data, n * first.data.length));
    joined[name] = new ort.Tensor(first.type, data, [count * (first.dims[0] || 1), ...first.dims.slice(1)]);
  }
  return joined;
}

async function main() {
  const options = parseArguments(process.argv.slice(2));
  const ort = loadRuntime();
  const session = await ort.InferenceSession.create(options.model, {
    intraOpNumThreads: options.threads, interOpNumThreads: 1, logSeverityLevel: 3});
  const feeds = {};
  for (const name of session.inputNames) feeds[name] = inputTensor(ort, session, name, options);
  const results = options.oneByOne ? await runOneByOne(ort, session, feeds) : await session.run(feeds);
  if (options.output) {
    fs.mkdirSync(options.output, {recursive: true});
    for (const name of session.outputNames) {
      const safe = name.replace(/[^A-Za-z0-9_.-]/g, '_');
      writeNpy(path.join(options.output, `${safe}.npy`), results[name]);
    }
  }
  if (options.time > 0) {
    const samples = [];
    for (let run = -3; run < options.time; ++run) {
      const begin = process.hrtime.bigint();
      await session.run(feeds);
      if (run >= 0) samples.push(Number(process.hrtime.bigint() - begin) * 1e-6);
    }
    samples.sort((a, b) => a - b);
    console.log(JSON.stringify({median_ms: samples[samples.length >> 1], min_ms: samples[0],
                                runs: options.time, threads: options.threads}));
  }
}

main().catch((error) => fail(error.message));
