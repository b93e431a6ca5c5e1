import { XMLBuilder } from 'fast-xml-parser';

/** The content of an XML element. Undefined: the element is left out. */
export type Xml = string | number | boolean | undefined | XmlElements;
export type XmlElements = { readonly [name: string]: Xml | readonly (XmlElements | string)[] };

/** A list as EC2 writes one; an empty one is an empty element. */
export const items = (members: readonly XmlElements[]): Xml => (members.length > 0 ? { item: members } : '');

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressEmptyNode: true,
});
const declaration = { '@version': '1.0', '@encoding': 'UTF-8' };

/** The answer to a call that did what it was asked. */
export const answerXml = (action: string, requestId: string, elements: XmlElements): string =>
  builder.build({
    '?xml': declaration,
    [`${action}Response`]: { '@xmlns': 'http://ec2.amazonaws.com/doc/2016-11-15/', requestId, ...elements },
  });

export const errorXml = (
  requestId: string,
  error: { readonly code: string; readonly message: string },
): string =>
  builder.build({
    '?xml': declaration,
    Response: { Errors: { Error: { Code: error.code, Message: error.message } }, RequestID: requestId },
  });
