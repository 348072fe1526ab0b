// Package officex seals Word documents (.docx) and finds the seals in them.
package officex
