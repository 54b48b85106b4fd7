/** What a token may do; each contains the ones before it. */
export const ROLES = ['read', 'invoke', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export function includes(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}
