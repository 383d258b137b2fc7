#pragma once

namespace facegate {

// Makes OpenMP's threads spin only briefly (some tens of microseconds) and then sleep while they
// wait for each other. libgomp's own choice spins long, and a forward pass can take ten times as
// long on a machine that does other things too; sleeping at once doubles the time of a small
// network on a quiet one. Sets libgomp's variables where neither OMP_WAIT_POLICY nor GOMP_SPINCOUNT
// is given; false where nothing had to be set or could be. libgomp reads them when it is loaded: a
// program that opens it with a module calls this before. Call it before there are threads.
bool WaitBrieflyInOpenMp();

// The same for a program that is linked to libgomp, which has read its variables before main():
// where they are set, the program starts itself once more (same process, same arguments, `argv`
// ends in null). Call it in main() before there are threads and open files, and only when there is
// work to do.
void WaitBrieflyInOpenMp(char** argv);

}  // namespace facegate
