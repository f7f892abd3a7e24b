// Temporary files and directories: what is written beside its place, and then renamed into it.
//
// A process that is killed leaves its own. Their names say whose they are, NAME.tmp-HOST-PID, so that
// the next command that writes to the same directory can remove them: those of processes of this
// host that have ended, and those of other hosts that nothing has touched for a week. HOST is a hash
// of the machine and of its space of process ids, so that neither another machine on a shared disk
// nor a container is taken for this one.
#pragma once

#include <filesystem>

namespace bitlaw {

// The name for a temporary beside `target`. Removes leftovers from the directory first, once for
// each directory and process.
std::filesystem::path temporary_beside(const std::filesystem::path& target);

// Where something is moved out of the way while another takes its place, at the very end.
std::filesystem::path old_beside(const std::filesystem::path& target);

// In a directory that holds nothing but what bitlaw writes, also NAME.tmpPID of earlier versions,
// which do not say whose they are: after a week.
enum class Owner { kSomebody, kBitlaw };
void remove_old_temporaries(const std::filesystem::path& directory, Owner owner = Owner::kSomebody);

}  // namespace bitlaw
