using Microsoft.AspNetCore.Http;
using Slipway.Ipxe.Scripts;

namespace Slipway.Server.Boot;

internal static class BootAnswers
{
    public static async Task SendAsync(this HttpContext context, IpxeScript script)
    {
        var bytes = script.ToBytes();
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    public static Task RefuseAsync(this HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(reason + "\n", context.RequestAborted);
    }
}
