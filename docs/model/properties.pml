/*
 * The invariants I1 to I7 by name (docs/guarantees.md). A model states each where it can be broken;
 * a failure is reported as
 * `assertion violated (… ||i4)`. With -DONLY=4 only I4 is asked, so that a
 * broken variant is caught by the property it is named for and not by its neighbour.
 *
 * EVENT tells what happens in a counterexample. It does double duty: each must be reached in a full
 * search, or the model would hold because nothing happens in it.
 */
#ifndef ONLY
#define ONLY 0
#endif

/* Never true: they only give the assertions their names. */
bit i1, i2, i3, i4, i5, i6, i7;

#if ONLY == 0 || ONLY == 1
#define I1(holds) assert((holds) || i1)
#else
#define I1(holds) skip
#endif
#if ONLY == 0 || ONLY == 2
#define I2(holds) assert((holds) || i2)
#else
#define I2(holds) skip
#endif
#if ONLY == 0 || ONLY == 3
#define I3(holds) assert((holds) || i3)
#else
#define I3(holds) skip
#endif
#if ONLY == 0 || ONLY == 4
#define I4(holds) assert((holds) || i4)
#else
#define I4(holds) skip
#endif
#if ONLY == 0 || ONLY == 5
#define I5(holds) assert((holds) || i5)
#else
#define I5(holds) skip
#endif
#if ONLY == 0 || ONLY == 6
#define I6(holds) assert((holds) || i6)
#else
#define I6(holds) skip
#endif
#if ONLY == 0 || ONLY == 7
#define I7(holds) assert((holds) || i7)
#else
#define I7(holds) skip
#endif

#define EVENT(words) printf(words)
