#pragma once

namespace facegate {

// Sets how many threads one call into OpenCV may use; 1 for a server, whose requests run side by
// side. For the whole process; call it at the start, before any other thread uses OpenCV.
void SetOpenCvThreads(int threads);

}  // namespace facegate
