#pragma once

#include <cstdint>

#include "face/base/status.h"
#include "trainer/run/judge.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/session.h"

namespace facegate {

// Writes the run's report.html, after so many batches; `ended` says that no more come.
Status WriteRunPage(const RunFacts& facts, const RunDirectory& directory, const Judge& judge,
                    const Session& session, int64_t batches, bool ended);

}  // namespace facegate
