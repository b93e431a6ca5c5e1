/** The collection that a URL means: it may be the collection's own, or one that the API is under. Without a slash at the end. */
export const collectionUrl = (url: string, collection: string): URL => {
  const given = new URL(url);
  const path = given.pathname.replace(/\/+$/, '');
  if (path.endsWith('/api/v1alpha1')) given.pathname = `${path}/${collection}`;
  else given.pathname = path.includes('/api/v1alpha1/') ? path : `${path}/api/v1alpha1/${collection}`;
  return given;
};
