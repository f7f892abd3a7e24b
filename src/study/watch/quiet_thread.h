// Of threads that nobody should notice: a low priority, and the processor time they took, so that
// they can rest many times as long.
#pragma once

namespace bitlaw {

// Of the calling thread alone; 19 is the least.
void lower_thread_priority(int nice);
// Of processor time, of the calling thread.
double thread_seconds();

}  // namespace bitlaw
