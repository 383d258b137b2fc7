#include "trainer/fused/openmp_workers.h"

#include <omp.h>

#include <atomic>

namespace facegate {

void OpenMpWorkers::Run(int tasks, const std::function<void(int task, int worker)>& task) {
  // Tasks go to whoever is free. The orders of the atomics say what OpenMP's barriers do already;
  // ThreadSanitizer does not see those.
  std::atomic<int> next = 0;
  std::atomic<int> ended = 0;
#pragma omp parallel num_threads(count_)
  {
    const int worker = omp_get_thread_num();
    for (int i = next.fetch_add(1, std::memory_order_acq_rel); i < tasks;
         i = next.fetch_add(1, std::memory_order_acq_rel)) {
      task(i, worker);
    }
    ended.fetch_add(1, std::memory_order_acq_rel);
  }
  (void)ended.load(std::memory_order_acquire);
}

}  // namespace facegate
