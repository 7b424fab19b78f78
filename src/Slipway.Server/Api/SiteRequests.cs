using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Slipway.Server.Machines;
using Slipway.Server.Site;
using Slipway.Server.Site.Yaml;

namespace Slipway.Server.Api;

/// <summary>What the API is asked for about the site as a whole.</summary>
internal sealed class SiteRequests(SiteApply apply)
{
    public Results<Ok<SiteView>, ProblemHttpResult> Export()
    {
        try
        {
            var text = apply.Export();
            return TypedResults.Ok(new SiteView(text.Path, text.Content));
        }
        catch (MachineRefusedException e)
        {
            return Refused(e);
        }
    }

    public Task<Results<Ok<SitePlanView>, ProblemHttpResult>> PlanAsync(SiteView site) =>
        AnswerAsync(() => Task.FromResult(apply.Plan(site.Content, site.File)));

    public Task<Results<Ok<SitePlanView>, ProblemHttpResult>> ApplyAsync(SiteView site, CancellationToken cancellation) =>
        AnswerAsync(() => apply.ApplyAsync(site.Content, site.File, cancellation));

    private static async Task<Results<Ok<SitePlanView>, ProblemHttpResult>> AnswerAsync(Func<Task<IReadOnlyList<SiteChange>>> changes)
    {
        try
        {
            return TypedResults.Ok(SitePlanView.Of(await changes()));
        }
        catch (SiteConfigurationException e)
        {
            return TypedResults.Ok(SitePlanView.Of(e));
        }
        catch (MachineRefusedException e)
        {
            return Refused(e);
        }
    }

    private static ProblemHttpResult Refused(MachineRefusedException e) => ErrorCode.Problem(e.Message, statusCode: StatusCodes.Status409Conflict);
}

/// <param name="File">What it is called: the server's own file, or an operator's in mistakes.</param>
/// <param name="Content">The whole site as YAML.</param>
internal sealed record SiteView(string File, string Content);

/// <param name="Mistakes">Each with its line; with one there are no changes.</param>
/// <param name="Changes">What differs from the site that is served, a line each.</param>
/// <param name="NeedRestart">Which of them a running server cannot take on.</param>
internal sealed record SitePlanView(IReadOnlyList<string> Mistakes, IReadOnlyList<string> Changes, IReadOnlyList<string> NeedRestart)
{
    public static SitePlanView Of(IReadOnlyList<SiteChange> changes) =>
        new([], [.. changes.Select(c => c.ToString())], [.. changes.Where(c => !c.IsLive).Select(c => c.Path)]);

    public static SitePlanView Of(SiteConfigurationException mistakes) => new(mistakes.Message.Split('\n'), [], []);
}
