// Package mirror says what has to be done to make one tree of files equal to
// another. It knows neither FTP nor file systems: [New] takes what two lists say and
// returns a [Plan], which somebody else carries out.
//
// Deletion is what a mirror is dreaded for, so that it is the last thing in a
// plan, and not in it at all if there is any doubt about what the source holds: a
// list with a line that was not understood ([Tree.Doubts]), a source without
// entries, or more to be deleted than was allowed. What is left out of the source,
// for whatever reason, is not touched in the destination either.
//
// A [Zone] finds out what time a server means that prints its own clock.
package mirror
