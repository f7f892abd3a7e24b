// Of threads that nobody should notice: the least priority, and the processor time they took, so that
// they can rest many times as long.
#pragma once

namespace bitlaw {

void lower_thread_priority();  // of the calling thread alone
double thread_seconds();       // of processor time, of the calling thread

}  // namespace bitlaw
