def test_wait_of_the_real_clock_ends_with_the_task_or_with_the_time() -> None:
    async def go() -> None:
        quick = asyncio.ensure_future(asyncio.sleep(0))
        await clock().wait(quick, 20)
        assert quick.done()
        slow = asyncio.ensure_future(asyncio.sleep(20))
        await clock().wait(slow, 0.01)
        assert not slow.done()
        slow.cancel()

    asyncio.run(go())


def test_skipped_time_of_other_coroutines_counts_for_a_wait() -> None:
    async def go() -> None:
        forever = asyncio.ensure_future(asyncio.Event().wait())
        started = clock().monotonic()
        sleeps = asyncio.ensure_future(sleep_often())
        await clock().wait(forever, 3600)
        assert not forever.done()
        assert clock().monotonic() - started >= 3600
        await sleeps
        forever.cancel()

    async def sleep_often() -> None:
        for _ in range(3600 // 60):
            await clock().sleep_async(60)

    began = time.monotonic()
    with no_waiting():
        asyncio.run(go())
    assert time.monotonic() - began < 10


def test_skipped_time_of_another_thread_counts_for_a_wait() -> None:
    async def go() -> None:
        forever = asyncio.ensure_future(asyncio.Event().wait())
        threading.Timer(0.02, lambda: clock().sleep(3600)).start()
        await clock().wait(forever, 3600)
        forever.cancel()

    with no_waiting():
        asyncio.run(asyncio.wait_for(go(), 10))


def test_wait_ends_with_the_task_when_time_is_skipped() -> None:
    async def go() -> None:
        task = asyncio.ensure_future(asyncio.sleep(0.02))
        await clock().wait(task, 3600)
        assert task.done()

    with no_waiting():
        asyncio.run(asyncio.wait_for(go(), 10))
