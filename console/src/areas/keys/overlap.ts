/** How long a rotated key works beside its successor, in seconds. */
export const overlap = 3600;
