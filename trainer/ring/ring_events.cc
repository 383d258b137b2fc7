#include "trainer/ring/ring_events.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "face/base/catch.h"
#include "face/base/clock.h"
#include "trainer/report/network_graph.h"
#include "trainer/ring/ring_network.h"

namespace facegate {

StatusOr<std::unique_ptr<RingEvents>> RingEvents::Create(const std::string& folder,
                                                         const std::string& network) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description, DescribeRingNetwork(network));
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return NotFound(fmt::format("{}: {}", folder, failure.message()));
  FACEGATE_ASSIGN_OR_RETURN(auto file, report::EventFile::Create(folder, Clock::System()));
  FACEGATE_RETURN_IF_ERROR(file->AddRestart(0));
  FACEGATE_ASSIGN_OR_RETURN(const std::string graph, report::NetworkGraph(description));
  FACEGATE_RETURN_IF_ERROR(file->AddGraph(graph));
  FACEGATE_RETURN_IF_ERROR(file->Flush());
  return std::unique_ptr<RingEvents>(new RingEvents(std::move(file)));
}

Status RingEvents::ShowPlane(const std::string& tag, int64_t epoch, const RingFigure& figure) {
  return CatchToStatus("drawing the plane", [&]() -> Status {
    const cv::Mat picture = DrawRingFigure(figure);
    const MutexLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(file_->AddImage(tag, epoch, picture));
    return file_->Flush();
  });
}

}  // namespace facegate
