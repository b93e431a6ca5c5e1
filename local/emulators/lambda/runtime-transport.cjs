/**
 * Speaks the Lambda Runtime API for aws-lambda-ric in the place of its native addon, which would have to be compiled.
 * Preloaded (`--require`) into the process of the runtime.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
const Module = require('node:module');
const http = require('node:http');

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const call = (method, path, body = '') =>
  new Promise((resolve, reject) => {
    const options = { hostname, port, agent, method, path: `/2018-06-01/runtime/invocation/${path}` };
    const request = http.request(options, (response) => {
      let bodyJson = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        bodyJson += chunk;
      });
      response.on('end', () => resolve({ bodyJson, headers: response.headers })).on('error', reject);
    });
    request.on('error', reject).end(body);
  });

let reported = Promise.resolve();
const rapidClient = {
  async next() {
    await reported; // the addon reports in the calling thread: an outcome is told before more work is asked for
    return call('GET', 'next');
  },
  done(id, body) {
    reported = call('POST', `${id}/response`, body);
  },
  error(id, body) {
    reported = call('POST', `${id}/error`, body);
  },
};

const load = Module._load;
Module._load = (request, ...rest) =>
  request.endsWith('rapid-client.node') ? rapidClient : load(request, ...rest);
