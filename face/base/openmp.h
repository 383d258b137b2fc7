#pragma once

namespace facegate {

// Makes OpenMP's threads spin only briefly (some tens of microseconds) and then sleep while they
// wait for each other. libgomp's own choice spins long, and a forward pass can take ten times as
// long on a machine that does other things too; sleeping at once doubles the time of a small
// network on a quiet one. libgomp reads its variables before main(), so where neither
// OMP_WAIT_POLICY nor GOMP_SPINCOUNT is given they are set and the program starts itself once more
// (same process, same arguments). Call it in main() before there are threads and open files, and
// only when there is work to do: libraries such as LibTorch are loaded once more, which takes some
// hundred milliseconds. `argv` ends in null.
void WaitBrieflyInOpenMp(char** argv);

}  // namespace facegate
